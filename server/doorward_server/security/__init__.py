"""Users, logins, roles, four-eyes approvals, and the sealing of biometrics."""

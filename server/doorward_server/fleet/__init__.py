"""Sites, companies, vehicles and boxes."""

"""The units: who they are, what each should hold (a signed manifest, and blobs), and what it holds."""

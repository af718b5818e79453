"""The units: who they are, what each should hold (its signed manifest and the blobs it lists), and what it holds."""

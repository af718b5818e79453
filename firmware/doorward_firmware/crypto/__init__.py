"""The device's own cryptography: P-256 in Python, AES-CCM on the chip's AES, offered as a protocol Suite."""

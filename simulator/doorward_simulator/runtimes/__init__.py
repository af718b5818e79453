"""What lets the device's firmware run on a PC: event loops, stubs of the chip's modules, process entry."""

"""What a unit keeps: journal, blobs and state, each on a raw flash partition and safe at any power cut."""

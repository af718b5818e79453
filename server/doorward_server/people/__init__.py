"""People, their permits, photos and fingers."""

"""Speech and prompt pictures: made here, so that a unit needs neither fonts nor a speech engine."""

"""Music and sound → arrays and back: note rows of a score, mel spectrograms of a recording."""

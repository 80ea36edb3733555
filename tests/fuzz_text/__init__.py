"""Pages that people damage: whatever a text holds, it is answered in words, and within two seconds."""

"""What may happen. Plain functions that know no HTTP; each owns its transaction."""

"""Other systems' wires, one file each. A route more there is a request more here."""

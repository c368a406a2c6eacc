"""How a credential gets into a request and out of an answer: transports, readers, the guard."""

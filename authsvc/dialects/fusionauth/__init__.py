"""FusionAuth: signing in, refresh tokens looked up and revoked. One file per subject; words.py has what they share."""

from authsvc.dialects.fusionauth import keys, sign_ins, tokens
from authsvc.dialects.fusionauth.words import bp

__all__ = ["bp", "keys", "sign_ins", "tokens"]

"""FusionAuth: sign-ins, refresh tokens, users. One file per subject; words.py has what they share."""

from authsvc.dialects.fusionauth import keys, sign_ins, standards, tokens, users
from authsvc.dialects.fusionauth.words import bp

__all__ = ["bp", "keys", "sign_ins", "standards", "tokens", "users"]

"""FusionAuth: sign-ins, refresh tokens, users. One file per subject; words.py has what they share."""

from authsvc.dialects.fusionauth import api_keys, keys, sign_ins, standards, tokens, users
from authsvc.dialects.fusionauth.words import bp

__all__ = ["api_keys", "bp", "keys", "sign_ins", "standards", "tokens", "users"]

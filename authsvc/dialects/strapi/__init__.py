"""Strapi: its users' sign-ins, below api/, and its API tokens, below admin/."""

from authsvc.dialects.strapi import api_tokens, sign_ins
from authsvc.dialects.strapi.speech import bp

__all__ = ["api_tokens", "bp", "sign_ins"]

"""foundation: tenants, applications, users, roles, refresh tokens, signing keys, events; the tenant `default`"""

from datetime import UTC, datetime

import sqlalchemy as sa
import uuid_utils
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

ID = sa.String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
MOMENT = sa.DateTime(timezone=True)

MEMBER = "api-tokens:write auth:refresh"
ADMIN = (
    "* api-tokens:admin api-tokens:write applications:read applications:write auth:refresh events:read "
    "roles:write tokens:read tokens:revoke users:read users:write"
)
OPERATOR = "keys:rotate tenants:write"


def belongs_to(table: str, column: str, *, optional: bool = False) -> sa.Column:
    """A reference that dies with what it refers to."""
    return sa.Column(column, ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=optional)


def upgrade() -> None:
    tenants = op.create_table(
        "tenants",
        sa.Column("id", ID, primary_key=True),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("slug"),
    )
    applications = op.create_table(
        "applications",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("transport", sa.String(8)),
        sa.Column("cookie_same_site", sa.String(8)),
        sa.Column("access_lifetime", sa.Integer),
        sa.Column("refresh_idle_lifetime", sa.Integer),
        sa.Column("refresh_lifetime", sa.Integer),
        sa.Column("rotate", sa.Boolean, nullable=False),
        sa.Column("max_refresh_tokens", sa.Integer),
        sa.Column("confidential", sa.Boolean, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "slug"),
        sa.CheckConstraint("transport IN ('body', 'cookie')", "transport"),
        sa.CheckConstraint("cookie_same_site IN ('Strict', 'Lax', 'None')", "cookie_same_site"),
    )
    op.create_table(
        "allowed_origins",
        belongs_to("tenants", "tenant_id"),
        belongs_to("applications", "application_id"),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "origin"),
        sa.Index(None, "origin"),
    )
    op.create_table(
        "client_secrets",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        belongs_to("applications", "application_id"),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Index(None, "application_id"),
    )
    op.create_table(
        "users",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        sa.Column("email", sa.String(256), nullable=False),
        sa.Column("username", sa.String(256)),
        sa.Column("username_key", sa.String(256)),
        sa.Column("name", sa.String(256)),
        sa.Column("password_hash", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "email"),
        sa.UniqueConstraint("tenant_id", "username_key"),
        sa.Index(None, "tenant_id", "id"),
    )
    roles = op.create_table(
        "roles",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("name_key", sa.String(256), nullable=False),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("tenant_id", "name_key"),
    )
    op.create_table(
        "user_roles",
        belongs_to("tenants", "tenant_id"),
        belongs_to("users", "user_id"),
        belongs_to("roles", "role_id"),
        sa.PrimaryKeyConstraint("user_id", "role_id"),
        sa.Index(None, "role_id"),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        belongs_to("users", "user_id"),
        belongs_to("applications", "application_id"),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("rotated_at", MOMENT),
        sa.Column("idle_expires_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("attempt_digest", sa.String(64)),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoke_reason", sa.String(64)),
        sa.Column("ip", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("device_name", sa.String(256)),
        # None of the columns that a refresh writes is indexed: PostgreSQL can then update a row in its place.
        sa.Index(None, "user_id", "id"),
        sa.Index(None, "application_id", "id"),
        sa.Index(None, "tenant_id", "id"),
        # And it finds room there.
        postgresql_with={"fillfactor": 90},
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        belongs_to("users", "user_id"),
        belongs_to("applications", "application_id", optional=True),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("allow_in_query", sa.Boolean, nullable=False),
        sa.Column("allowed_ips", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoke_reason", sa.String(64)),
        sa.Column("successor_id", ID),
        sa.Column("last_used_at", MOMENT),
        sa.Column("last_used_ip", sa.String(64)),
        sa.UniqueConstraint("digest"),
        sa.Index(None, "user_id", "id"),
        sa.Index(None, "application_id", "id"),
        sa.Index(None, "tenant_id", "id"),
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(64), primary_key=True),
        belongs_to("tenants", "tenant_id"),
        sa.Column("algorithm", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("public_jwk", sa.Text, nullable=False),
        sa.Column("sealed_private_key", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("activated_at", MOMENT),
        sa.Column("replaced_at", MOMENT),
        sa.Column("retired_at", MOMENT),
        sa.CheckConstraint("state IN ('next', 'active', 'previous', 'retired')", "state"),
    )
    op.create_table(
        "events",
        sa.Column("id", ID, primary_key=True),
        belongs_to("tenants", "tenant_id"),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("actor_id", ID),
        sa.Column("subject_id", ID),
        sa.Column("application_id", ID),
        sa.Column("refresh_token_id", ID),
        sa.Column("api_token_id", ID),
        sa.Column("ip", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Index(None, "tenant_id", "id"),
        sa.Index(None, "subject_id", "id"),
    )
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )

    now = datetime.now(UTC)
    tenant_id = str(uuid_utils.uuid7())
    own = {"tenant_id": tenant_id, "created_at": now}
    default = {"slug": "default", "name": "Default", "active": True}
    op.bulk_insert(tenants, [{"id": tenant_id, "created_at": now} | default])
    op.bulk_insert(
        applications,
        [{"id": str(uuid_utils.uuid7()), "rotate": True, "confidential": False, "scopes": "", "generation": 0} | own | default],
    )
    for name, permissions in (("member", MEMBER), ("admin", ADMIN), ("operator", OPERATOR)):
        op.bulk_insert(roles, [{"id": str(uuid_utils.uuid7()), "name": name, "name_key": name, "permissions": permissions} | own])


def downgrade() -> None:
    for table in (
        "attempts",
        "events",
        "signing_keys",
        "api_tokens",
        "refresh_tokens",
        "user_roles",
        "roles",
        "users",
        "client_secrets",
        "allowed_origins",
        "applications",
        "tenants",
    ):
        op.drop_table(table)

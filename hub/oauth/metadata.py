# SPDX-License-Identifier: Apache-2.0
"""What the authorization server can do, for any OAuth library to read (RFC 8414, RFC 9449 §5.1). Only what
is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from consent.jwk import PublicKey
from hub.oauth.clients import AGENCY_SCOPES, AUTH_METHOD, GRANT_TYPE
from hub.oauth.es256 import ALGORITHM

ENDPOINTS: Final = {
    "token_endpoint": "/oauth/token",
    "revocation_endpoint": "/oauth/revoke",
    "introspection_endpoint": "/oauth/introspect",
}


def describe(issuer: str) -> Mapping[str, Any]:
    """Write the metadata document for an issuer (an origin, `https://host[:port]`)."""
    document: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/oauth/jwks.json",
        "scopes_supported": list(AGENCY_SCOPES),
        # Required by the RFC even where, as here, there is no authorization endpoint yet.
        "response_types_supported": [],
        "grant_types_supported": [GRANT_TYPE],
        "dpop_signing_alg_values_supported": [ALGORITHM],
    }
    for name, path in ENDPOINTS.items():
        document[name] = issuer + path
        document[f"{name}_auth_methods_supported"] = [AUTH_METHOD]
        document[f"{name}_auth_signing_alg_values_supported"] = [ALGORITHM]
    return AuthorizationServerMetadata(document)


def key_set(token_key: PublicKey) -> Mapping[str, Any]:
    """Write the hub's public keys for OAuth as a JWK Set (RFC 7517)."""
    return {"keys": [token_key.jwk()]}

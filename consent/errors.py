# SPDX-License-Identifier: Apache-2.0
"""Why the library refuses a document, a scope, a signature or a sealed part.

Grouped from the caller's side: each class is one thing that went wrong for whoever called, and ends in Error.
Decisions about sharing are not errors: they are answers (`consent.decisions`).
"""


class TsunagiError(Exception):
    """Refuse with a stable `code` and the place (`pointer`, a JSON pointer) it is about.

    The text is made of the code and the pointer alone: what was refused may be about a person, and error
    texts reach logs.
    """

    def __init__(self, code: str, pointer: str = "") -> None:
        """Keep the code of the refusal and where in the document it lies."""
        super().__init__(code, pointer)
        self.code = code
        self.pointer = pointer

    def __str__(self) -> str:
        """Say the code and the place, never the input."""
        return f"{self.code} at {self.pointer}" if self.pointer else self.code


class DocumentRefusedError(TsunagiError):
    """The document is not one we can read.

    Codes: malformed-json, bad-text, unknown-member, missing-member, wrong-type, unknown-code, bad-date,
    too-large.
    """


class ScopeRefusedError(TsunagiError):
    """The scope or form may not be registered: bad-scope, proxy-reason-required, needs-second-signer."""


class SignatureRefusedError(TsunagiError):
    """The signed text or its key is not acceptable.

    Codes: malformed, malformed-json, header-not-allowed, alg-not-allowed, bad-signature, wrong-type,
    key-not-valid.
    """


class SealRefusedError(TsunagiError):
    """The sealed part cannot be opened as what it says it is.

    Codes: undecryptable, label-mismatch, part-hash-mismatch, commitment-mismatch, manifest-mismatch.
    """


class LogRefusedError(TsunagiError):
    """A note, proof or policy of the log does not hold.

    Codes: malformed-note, malformed-proof, bad-signature, bad-proof; malformed-policy, self-witness,
    quorum-without-agency; malformed-submission, unknown-log, old-too-large, old-differs, root-differs.
    """


class BundleRefusedError(TsunagiError):
    """A bundle of evidence cannot be read: malformed-bundle, truncated-bundle."""

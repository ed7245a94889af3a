"""Search spaces: written as expressions (`hp`, `scope`), read as columns (`Space`)."""

/// Identifiers: a prefix and a UUIDv7 in Crockford base32.
@NullMarked
package dev.vigil.protocol.id;

import org.jspecify.annotations.NullMarked;

/// Sealed records: keys, associated data, AES-256-GCM.
@NullMarked
package dev.vigil.protocol.payload;

import org.jspecify.annotations.NullMarked;

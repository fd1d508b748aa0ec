/// RFC 6962 hashing, proofs, C2SP checkpoints and tiles.
@NullMarked
package dev.vigil.protocol.tree;

import org.jspecify.annotations.NullMarked;

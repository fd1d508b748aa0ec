/// The audit event and its canonical bytes.
@NullMarked
package dev.vigil.protocol.audit;

import org.jspecify.annotations.NullMarked;

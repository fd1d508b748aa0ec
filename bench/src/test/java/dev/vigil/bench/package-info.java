/// The contestants speak the protocol, as processes of their own.
@NullMarked
package dev.vigil.bench;

import org.jspecify.annotations.NullMarked;

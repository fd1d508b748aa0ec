/// Vigil measured beside other schedulers: contestants of the peers' benchmark, which speak its line protocol.
@NullMarked
package dev.vigil.bench;

import org.jspecify.annotations.NullMarked;

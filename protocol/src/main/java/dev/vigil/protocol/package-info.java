/// What every process of Vigil must agree on, byte for byte.
@NullMarked
package dev.vigil.protocol;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.vigil.protocol.identity;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.vigil.protocol.health;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.vigil.protocol.link;

import org.jspecify.annotations.NullMarked;

/// Both ends of the worker link over real sockets.
@NullMarked
package dev.vigil.link;

import org.jspecify.annotations.NullMarked;

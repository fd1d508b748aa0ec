/// Frames and keys of the worker link.
@NullMarked
package dev.vigil.protocol.link;

import org.jspecify.annotations.NullMarked;

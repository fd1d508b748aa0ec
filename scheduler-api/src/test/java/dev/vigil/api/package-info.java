/// Tests of the whole service, and what they share.
@NullMarked
package dev.vigil.api;

import org.jspecify.annotations.NullMarked;

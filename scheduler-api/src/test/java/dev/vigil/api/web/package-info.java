/// Tests of the kit.
@NullMarked
package dev.vigil.api.web;

import org.jspecify.annotations.NullMarked;

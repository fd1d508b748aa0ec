/// Tests of identity and policy.
@NullMarked
package dev.vigil.api.access;

import org.jspecify.annotations.NullMarked;

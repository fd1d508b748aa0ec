/// Access and erasure requests.
@NullMarked
package dev.vigil.gdpr.request;

import org.jspecify.annotations.NullMarked;

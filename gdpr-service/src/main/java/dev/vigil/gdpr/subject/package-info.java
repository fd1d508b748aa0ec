/// Who a request is about.
@NullMarked
package dev.vigil.gdpr.subject;

import org.jspecify.annotations.NullMarked;

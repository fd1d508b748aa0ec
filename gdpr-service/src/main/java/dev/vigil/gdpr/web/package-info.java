/// How requests come in and answers go out: tokens, problems, JSON.
@NullMarked
package dev.vigil.gdpr.web;

import org.jspecify.annotations.NullMarked;

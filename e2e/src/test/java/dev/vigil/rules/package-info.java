/// The rules of the house, checked over all modules: arrows, tidiness, how the build finds its JDK.
@NullMarked
package dev.vigil.rules;

import org.jspecify.annotations.NullMarked;

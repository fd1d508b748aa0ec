/// What was asked: tasks, schedules, commands.
@NullMarked
package dev.vigil.scheduler.task;

import org.jspecify.annotations.NullMarked;

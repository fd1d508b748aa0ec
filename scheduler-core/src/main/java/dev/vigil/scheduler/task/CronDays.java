package dev.vigil.scheduler.task;

import java.time.DayOfWeek;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/// Which days a cron expression means: day of month and day of week, each with its extensions. When both are
/// given, either matches (POSIX, crontab); with one of them `*` or `?`, the other decides.
final class CronDays {
    private final boolean anyDayOfMonth;
    private final boolean anyDayOfWeek;
    private final Predicate<LocalDate> dayOfMonth;
    private final Predicate<LocalDate> dayOfWeek;

    CronDays(String dayOfMonthText, String dayOfWeekText) {
        anyDayOfMonth = isAny(dayOfMonthText);
        anyDayOfWeek = isAny(dayOfWeekText);
        dayOfMonth = any(dayOfMonthText, CronDays::dayOfMonth);
        dayOfWeek = any(dayOfWeekText, CronDays::dayOfWeek);
    }

    boolean match(LocalDate day) {
        if (anyDayOfMonth) {
            return anyDayOfWeek || dayOfWeek.test(day);
        }
        if (anyDayOfWeek) {
            return dayOfMonth.test(day);
        }
        return dayOfMonth.test(day) || dayOfWeek.test(day);
    }

    private static boolean isAny(String text) {
        return text.equals("*") || text.equals("?");
    }

    private static Predicate<LocalDate> any(
            String text, java.util.function.Function<String, Predicate<LocalDate>> read) {
        List<Predicate<LocalDate>> items = new ArrayList<>();
        for (String item : text.split(",", -1)) {
            items.add(read.apply(item.toUpperCase(Locale.ROOT)));
        }
        return day -> items.stream().anyMatch(item -> item.test(day));
    }

    /// `L` the last day, `L-n` n days before it, `LW` the last weekday, `nW` the weekday nearest to day n of
    /// the month.
    private static Predicate<LocalDate> dayOfMonth(String item) {
        if (item.equals("L")) {
            return day -> day.getDayOfMonth() == day.lengthOfMonth();
        }
        if (item.equals("LW") || item.equals("WL")) {
            return day -> day.equals(weekdayNearest(day.withDayOfMonth(day.lengthOfMonth())));
        }
        if (item.startsWith("L-")) {
            int before = CronField.Kind.DAY_OF_MONTH.number(item.substring(2));
            return day -> day.getDayOfMonth() == day.lengthOfMonth() - before;
        }
        if (item.endsWith("W")) {
            int wanted = CronField.Kind.DAY_OF_MONTH.number(item.substring(0, item.length() - 1));
            return day -> wanted <= day.lengthOfMonth() && day.equals(weekdayNearest(day.withDayOfMonth(wanted)));
        }
        CronField field = CronField.parse(CronField.Kind.DAY_OF_MONTH, item);
        return day -> field.has(day.getDayOfMonth());
    }

    /// `5L` the last Friday, `5#2` the second Friday, `L` alone Saturday as in Quartz.
    private static Predicate<LocalDate> dayOfWeek(String item) {
        if (item.equals("L")) {
            return day -> day.getDayOfWeek() == DayOfWeek.SATURDAY;
        }
        int hash = item.indexOf('#');
        if (hash > 0) {
            int weekday = CronField.Kind.DAY_OF_WEEK.number(item.substring(0, hash)) % 7;
            String nth = item.substring(hash + 1);
            if (!nth.matches("[1-5]")) {
                throw new IllegalArgumentException("day of week '" + item + "': use #1 to #5");
            }
            int week = Integer.parseInt(nth);
            return day -> number(day) == weekday && (day.getDayOfMonth() + 6) / 7 == week;
        }
        if (item.endsWith("L")) {
            int weekday = CronField.Kind.DAY_OF_WEEK.number(item.substring(0, item.length() - 1)) % 7;
            return day -> number(day) == weekday && day.getDayOfMonth() + 7 > day.lengthOfMonth();
        }
        CronField field = CronField.parse(CronField.Kind.DAY_OF_WEEK, item);
        return day -> field.has(number(day)) || (number(day) == 0 && field.has(7));
    }

    private static int number(LocalDate day) {
        return day.getDayOfWeek().getValue() % 7;
    }

    /// The same day when it is one of Monday to Friday, else the nearest of them in the same month.
    private static LocalDate weekdayNearest(LocalDate day) {
        return switch (day.getDayOfWeek()) {
            case SATURDAY -> day.getDayOfMonth() == 1 ? day.plusDays(2) : day.minusDays(1);
            case SUNDAY -> day.getDayOfMonth() == day.lengthOfMonth() ? day.minusDays(2) : day.plusDays(1);
            default -> day;
        };
    }
}

package dev.vigil.scheduler.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.vigil.scheduler.task.Schedule.OnGap;
import dev.vigil.scheduler.task.Schedule.OnOverlap;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.TextStyle;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CronExpressionTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    @Test
    void a_time_in_the_gap_fires_at_the_first_instant_after_it() {
        assertThat(fires(berlin("30 2 * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-03-28T12:00:00Z", 2))
                .containsExactly("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    }

    @Test
    void a_shifted_fire_is_found_from_the_second_before_it_and_not_again_from_itself() {
        assertThat(fires(berlin("30 2 * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-03-29T00:59:59Z", 2))
                .containsExactly("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
        assertThat(fires(berlin("30 2 * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-03-29T00:59:59.500Z", 1))
                .containsExactly("2026-03-29T01:00:00Z");
    }

    @Test
    void a_day_that_a_zone_leaves_out_is_a_gap_like_any_other() {
        var samoa = new Schedule.Cron("0 12 30 * *", ZoneId.of("Pacific/Apia"), OnGap.SHIFT, OnOverlap.FIRST);

        assertThat(CronExpression.parse("0 12 30 * *").next(Instant.parse("2011-12-29T00:00:00Z"), samoa))
                .hasValue(Instant.parse("2011-12-30T10:00:00Z"));
    }

    @Test
    void a_time_in_the_gap_is_skipped_when_asked() {
        assertThat(fires(berlin("30 2 * * *", OnGap.SKIP, OnOverlap.FIRST), "2026-03-28T12:00:00Z", 1))
                .containsExactly("2026-03-30T00:30:00Z");
    }

    @Test
    void a_shifted_fire_and_a_regular_one_at_the_same_instant_are_one() {
        assertThat(fires(berlin("0 2,3 * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-03-28T12:00:00Z", 2))
                .containsExactly("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z");
    }

    @ParameterizedTest
    @CsvSource({
        "FIRST, 2026-10-25T00:30:00Z, 2026-10-26T01:30:00Z",
        "LAST,  2026-10-25T01:30:00Z, 2026-10-26T01:30:00Z",
        "BOTH,  2026-10-25T00:30:00Z, 2026-10-25T01:30:00Z"
    })
    void a_time_that_exists_twice_fires_as_asked(OnOverlap onOverlap, String first, String second) {
        assertThat(fires(berlin("30 2 * * *", OnGap.SHIFT, onOverlap), "2026-10-24T12:00:00Z", 2))
                .containsExactly(first, second);
    }

    @Test
    void what_ticks_keeps_ticking_through_gap_and_overlap() {
        assertThat(fires(berlin("*/30 * * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-10-25T00:10:00Z", 4))
                .containsExactly(
                        "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z");
        assertThat(fires(berlin("15 * * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-03-29T00:00:00Z", 2))
                .containsExactly("2026-03-29T00:15:00Z", "2026-03-29T01:15:00Z");
        assertThat(fires(berlin("0 * * * *", OnGap.SHIFT, OnOverlap.FIRST), "2026-10-24T23:30:00Z", 3))
                .containsExactly("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
    }

    @Test
    void a_week_may_end_with_sunday_by_name() {
        assertThat(utc("0 0 * * SAT-SUN", "2026-02-06T00:00:00Z", 3))
                .containsExactly("2026-02-07T00:00:00Z", "2026-02-08T00:00:00Z", "2026-02-14T00:00:00Z");
        assertThat(utc("0 0 * * SUN-SUN", "2026-02-06T00:00:00Z", 2))
                .containsExactly("2026-02-08T00:00:00Z", "2026-02-15T00:00:00Z");
    }

    @Test
    void day_of_month_and_day_of_week_given_together_mean_either() {
        assertThat(utc("0 0 13 * 5", "2026-02-01T00:00:00Z", 5))
                .containsExactly(
                        "2026-02-06T00:00:00Z",
                        "2026-02-13T00:00:00Z",
                        "2026-02-20T00:00:00Z",
                        "2026-02-27T00:00:00Z",
                        "2026-03-06T00:00:00Z");
        assertThat(utc("0 0 13 * ?", "2026-02-01T00:00:00Z", 2))
                .containsExactly("2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z");
    }

    @ParameterizedTest
    @CsvSource({
        "0 0 L * *,        2026-02-28T00:00:00Z, 2026-03-31T00:00:00Z",
        "0 0 L-2 * *,      2026-02-26T00:00:00Z, 2026-03-29T00:00:00Z",
        "0 0 LW * *,       2026-02-27T00:00:00Z, 2026-03-31T00:00:00Z",
        "0 0 1W * *,       2026-02-02T00:00:00Z, 2026-03-02T00:00:00Z",
        "0 0 15W * *,      2026-02-16T00:00:00Z, 2026-03-16T00:00:00Z",
        "0 0 * * 5#2,      2026-02-13T00:00:00Z, 2026-03-13T00:00:00Z",
        "0 0 * * FRIL,     2026-02-27T00:00:00Z, 2026-03-27T00:00:00Z",
        "0 0 * * 7,        2026-02-08T00:00:00Z, 2026-02-15T00:00:00Z",
        "0 9 * MAR MON-TUE,2026-03-02T09:00:00Z, 2026-03-03T09:00:00Z",
        "@monthly,         2026-03-01T00:00:00Z, 2026-04-01T00:00:00Z",
        "15 30 12 * * *,   2026-02-01T12:30:15Z, 2026-02-02T12:30:15Z",
        "*/20 59 23 * * *, 2026-02-01T23:59:00Z, 2026-02-01T23:59:20Z",
        "5/25 8 * * *,     2026-02-01T08:05:00Z, 2026-02-01T08:30:00Z",
        "0 0 29 2 *,       2028-02-29T00:00:00Z, 2032-02-29T00:00:00Z",
        "0 0 * 2 4#5,      2052-02-29T00:00:00Z, ''"
    })
    void the_usual_extensions_mean_what_they_mean_elsewhere(String cron, String first, String second) {
        List<String> expected = second.isEmpty() ? List.of(first) : List.of(first, second);
        assertThat(utc(cron, "2026-02-01T00:00:00Z", expected.size())).isEqualTo(expected);
    }

    @Test
    void what_never_happens_has_no_fire() {
        assertThat(CronExpression.parse("0 0 30 2 ?").next(Instant.EPOCH, ZoneOffset.UTC))
                .isEmpty();
        assertThat(CronExpression.parse("0 0 31 4,6,9,11 *").next(Instant.EPOCH, BERLIN))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "* * * *",
                "* * * * * * *",
                "60 * * * *",
                "* 24 * * *",
                "* * 0 * *",
                "* * 32 * *",
                "* * * 13 *",
                "* * * * 8",
                "*/0 * * * *",
                "1-2147483648/1 * * * *",
                "5-1 * * * *",
                "? * * * *",
                "a * * * *",
                "1,,2 * * * *",
                "* * * FOO *",
                "* * * * 5#6",
                "* * 40W * *",
                "@every 5m",
                "-1 * * * *",
                "1- * * * *"
            })
    void what_cannot_be_is_refused_with_a_sentence(String cron) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CronExpression.parse(cron))
                .withMessageMatching(".{10,}");
    }

    /// An oracle that works the other way round: all local times that match a day, each turned into instants by
    /// the rules, instead of stretches of even time searched for a match.
    @Test
    void all_fires_of_three_years_agree_with_a_plain_enumeration() {
        List<String> crons = List.of(
                "30 2 * * *",
                "0 0 * * *",
                "15 0,1,2,3 * * *",
                "5 */2 * * *",
                "0,30 2 * * 0",
                "45 1 L * *",
                "0 23 * 3,10 *");
        List<ZoneId> zones = List.of(
                BERLIN,
                ZoneId.of("America/New_York"),
                ZoneId.of("Australia/Lord_Howe"),
                ZoneId.of("America/Santiago"),
                ZoneId.of("Africa/Casablanca"),
                ZoneId.of("Asia/Kathmandu"),
                ZoneId.of("America/Havana"));
        for (ZoneId zone : zones) {
            for (String cron : crons) {
                for (OnGap onGap : OnGap.values()) {
                    for (OnOverlap onOverlap : OnOverlap.values()) {
                        var rules = new Schedule.Cron(cron, zone, onGap, onOverlap);
                        assertThat(evaluated(rules, THREE_YEARS))
                                .as(
                                        "%s in %s, %s, %s",
                                        cron, zone.getDisplayName(TextStyle.NARROW, Locale.ROOT), onGap, onOverlap)
                                .isEqualTo(enumerated(rules, THREE_YEARS));
                    }
                }
            }
        }
    }

    /// The daily time in the middle of what a zone leaves out or repeats, at each change of each zone that the JDK
    /// knows.
    @Test
    void around_every_change_of_every_zone_in_twenty_years_fires_agree_with_a_plain_enumeration() {
        var zones = new HashMap<ZoneRules, ZoneId>();
        ZoneId.getAvailableZoneIds().stream()
                .sorted()
                .map(ZoneId::of)
                .forEach(zone -> zones.put(zone.getRules(), zone));
        Instant end = Instant.parse("2041-01-01T00:00:00Z");
        int changes = 0;
        for (ZoneId zone : zones.values()) {
            ZoneOffsetTransition change = zone.getRules().nextTransition(Instant.parse("2021-01-01T00:00:00Z"));
            while (change != null && change.getInstant().isBefore(end)) {
                agreesAround(change, zone);
                changes++;
                change = zone.getRules().nextTransition(change.getInstant());
            }
        }
        assertThat(zones.size()).isGreaterThan(100);
        assertThat(changes).isGreaterThan(1000);
    }

    private static void agreesAround(ZoneOffsetTransition change, ZoneId zone) {
        LocalDateTime first = change.isGap() ? change.getDateTimeBefore() : change.getDateTimeAfter();
        LocalDateTime inside = first.plus(change.getDuration().abs().dividedBy(2));
        String cron = inside.getMinute() + " " + inside.getHour() + " * * *";
        var between = new Between(
                change.getInstant().minus(Duration.ofDays(2)),
                change.getInstant().plus(Duration.ofDays(2)));
        for (OnGap onGap : OnGap.values()) {
            for (OnOverlap onOverlap : OnOverlap.values()) {
                var rules = new Schedule.Cron(cron, zone, onGap, onOverlap);
                assertThat(evaluated(rules, between))
                        .as("%s in %s at %s, %s, %s", cron, zone, change, onGap, onOverlap)
                        .isEqualTo(enumerated(rules, between));
            }
        }
    }

    private record Between(Instant from, Instant until) {}

    private static final Between THREE_YEARS =
            new Between(Instant.parse("2025-01-01T12:00:00Z"), Instant.parse("2027-12-31T12:00:00Z"));

    private static List<Instant> evaluated(Schedule.Cron rules, Between between) {
        CronExpression cron = CronExpression.parse(rules.expression());
        var fires = new ArrayList<Instant>();
        Instant at = cron.next(between.from, rules).orElseThrow();
        while (at.isBefore(between.until)) {
            fires.add(at);
            at = cron.next(at, rules).orElseThrow();
        }
        return fires;
    }

    private static List<Instant> enumerated(Schedule.Cron rules, Between between) {
        String[] field = rules.expression().split(" ");
        var fires = new TreeSet<Instant>();
        LocalDate last = LocalDate.ofInstant(between.until, ZoneOffset.UTC).plusDays(2);
        for (LocalDate day = LocalDate.ofInstant(between.from, ZoneOffset.UTC).minusDays(2);
                day.isBefore(last);
                day = day.plusDays(1)) {
            boolean dayMatches = (field[2].equals("*") || day.getDayOfMonth() == day.lengthOfMonth())
                    && (field[3].equals("*") || numbers(field[3], 13).contains(day.getMonthValue()))
                    && (field[4].equals("*") || day.getDayOfWeek().getValue() % 7 == 0);
            for (int hour : dayMatches ? numbers(field[1], 24) : List.<Integer>of()) {
                for (int minute : numbers(field[0], 60)) {
                    fires.addAll(instants(day.atTime(hour, minute), rules));
                }
            }
        }
        return fires.stream()
                .filter(at -> at.isAfter(between.from) && at.isBefore(between.until))
                .toList();
    }

    private static List<Instant> instants(LocalDateTime local, Schedule.Cron rules) {
        var zone = rules.zone().getRules();
        List<ZoneOffset> offsets = zone.getValidOffsets(local);
        if (offsets.isEmpty()) {
            return rules.onGap() == OnGap.SHIFT
                    ? List.of(zone.getTransition(local).getInstant())
                    : List.of();
        }
        List<Instant> all = offsets.stream().map(local::toInstant).sorted().toList();
        return switch (rules.onOverlap()) {
            case BOTH -> all;
            case FIRST -> List.of(all.getFirst());
            case LAST -> List.of(all.getLast());
        };
    }

    private static List<Integer> numbers(String field, int limit) {
        if (field.startsWith("*/")) {
            int step = Integer.parseInt(field.substring(2));
            return java.util.stream.IntStream.range(0, limit)
                    .filter(n -> n % step == 0)
                    .boxed()
                    .toList();
        }
        return List.of(field.split(",")).stream().map(Integer::valueOf).toList();
    }

    private static List<String> utc(String cron, String after, int count) {
        return fires(new Schedule.Cron(cron, ZoneOffset.UTC, OnGap.SHIFT, OnOverlap.FIRST), after, count);
    }

    private static Schedule.Cron berlin(String cron, OnGap onGap, OnOverlap onOverlap) {
        return new Schedule.Cron(cron, BERLIN, onGap, onOverlap);
    }

    private static List<String> fires(Schedule.Cron rules, String after, int count) {
        CronExpression expression = CronExpression.parse(rules.expression());
        var fires = new ArrayList<String>();
        Instant at = Instant.parse(after);
        for (int i = 0; i < count; i++) {
            at = expression.next(at, rules).orElseThrow();
            fires.add(at.toString());
        }
        return fires;
    }
}

package dev.vigil.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.agent.link.CreditDeal.Stand;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CreditDealTest {
    @Test
    void whatever_the_cores_report_all_places_are_dealt_and_no_more() {
        var chance = new Random(11);
        for (int round = 0; round < 20_000; round++) {
            int places = chance.nextInt(50);
            List<Stand> cores = stands(chance);

            List<Integer> targets = CreditDeal.targets(places, cores);

            assertThat(targets).hasSameSizeAs(cores).allMatch(target -> target >= 0);
            assertThat(sum(targets)).isEqualTo(places);
            if (places >= cores.size()) {
                assertThat(targets).as("nobody starves while there is enough").allMatch(target -> target >= 1);
            }
        }
    }

    @Test
    void a_longer_backlog_never_gets_less() {
        var chance = new Random(12);
        for (int round = 0; round < 20_000; round++) {
            int places = chance.nextInt(200);
            List<Stand> cores = stands(chance);
            List<Integer> targets = CreditDeal.targets(places, cores);
            for (int a = 0; a < cores.size(); a++) {
                for (int b = 0; b < cores.size(); b++) {
                    if (cores.get(a).backlog() > cores.get(b).backlog()) {
                        // What rounding left over is one at most.
                        assertThat(targets.get(a) + 1).isGreaterThanOrEqualTo(targets.get(b));
                    }
                }
            }
        }
    }

    @Test
    void backlogs_of_any_size_do_not_overflow() {
        var huge = new Stand(0, Integer.MAX_VALUE);

        assertThat(CreditDeal.targets(1_000, List.of(huge, huge, new Stand(0, 0))))
                .containsExactly(500, 499, 1);
    }

    @Test
    void without_backlog_all_get_the_same_and_without_cores_nobody_gets_anything() {
        var idle = new Stand(3, 0);

        assertThat(CreditDeal.targets(9, List.of(idle, idle, idle))).containsExactly(3, 3, 3);
        assertThat(CreditDeal.targets(2, List.of(idle, idle, idle)).stream()
                        .mapToInt(i -> i)
                        .sum())
                .isEqualTo(2);
        assertThat(CreditDeal.targets(5, List.of())).isEmpty();
    }

    private static List<Stand> stands(Random chance) {
        var cores = new ArrayList<Stand>();
        for (int i = 1 + chance.nextInt(6); i > 0; i--) {
            int backlog = chance.nextInt(3) == 0 ? 0 : chance.nextInt(1_000);
            cores.add(new Stand(chance.nextInt(20), backlog));
        }
        return cores;
    }

    private static int sum(List<Integer> targets) {
        return targets.stream().mapToInt(Integer::intValue).sum();
    }
}

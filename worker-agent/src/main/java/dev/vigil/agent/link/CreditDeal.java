package dev.vigil.agent.link;

import java.util.ArrayList;
import java.util.List;

/// How a worker deals its places over the cores: at least one each while there are enough, the rest towards
/// reported backlog, evenly when nobody reports any.
final class CreditDeal {
    private CreditDeal() {}

    /// How a core stands.
    ///
    /// @param outstanding credits it may still use
    /// @param backlog     how many more it would send
    record Stand(int outstanding, int backlog) {}

    /// Hands free places to the cores.
    ///
    /// @param places places that are free or already dealt out as credits
    static void raise(int places, List<CoreConnection> cores) {
        int free = places - outstanding(cores);
        if (free <= 0 || cores.isEmpty()) {
            return;
        }
        List<Integer> targets = targets(places, stands(cores));
        for (int i = 0; i < cores.size() && free > 0; i++) {
            int more = Math.min(free, targets.get(i) - cores.get(i).outstanding());
            if (more > 0 && cores.get(i).raise(more)) {
                free -= more;
                cores.get(i).grantWaits();
            }
        }
    }

    /// Asks for credits back that lie idle with one core while another waits; all of them when there are no places.
    static void lower(int places, List<CoreConnection> cores) {
        if (places > 0 && cores.size() < 2) {
            return;
        }
        // While slots are full the credits that are out already stay where they are.
        int dealt = places > 0 ? Math.max(places, outstanding(cores)) : 0;
        List<Integer> targets = targets(dealt, stands(cores));
        for (int i = 0; i < cores.size(); i++) {
            cores.get(i).lowerTo(targets.get(i));
        }
    }

    private static int outstanding(List<CoreConnection> cores) {
        return cores.stream().mapToInt(CoreConnection::outstanding).sum();
    }

    private static List<Stand> stands(List<CoreConnection> cores) {
        return cores.stream().map(CoreConnection::stand).toList();
    }

    /// The credits that each core should have outstanding.
    ///
    /// @param places places that are free or already dealt out as credits
    static List<Integer> targets(int places, List<Stand> cores) {
        int count = cores.size();
        var targets = new ArrayList<Integer>(count);
        long backlog = 0;
        for (Stand core : cores) {
            backlog += core.backlog();
        }
        int floor = places >= count ? 1 : 0;
        int rest = Math.max(0, places - floor * count);
        int dealt = 0;
        for (Stand core : cores) {
            int share = (int) (backlog == 0 ? rest / count : rest * (long) core.backlog() / backlog);
            targets.add(floor + share);
            dealt += floor + share;
        }
        // What rounding left over goes round, to those that wait first.
        for (int pass = 0; dealt < places && count > 0; pass++) {
            int i = pass % count;
            if (pass >= count || backlog == 0 || cores.get(i).backlog() > 0) {
                targets.set(i, targets.get(i) + 1);
                dealt++;
            }
        }
        return targets;
    }
}

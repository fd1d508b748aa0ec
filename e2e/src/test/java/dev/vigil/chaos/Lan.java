package dev.vigil.chaos;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The network between the nodes: each in a namespace of its own, all on one bridge, where PostgreSQL and the APIs are.
/// All of it lies in the namespace of this JVM and vanishes with it. Where namespaces cannot be had, everything is on
/// the loopback interface and no fault of the network is done.
final class Lan {
    static final String HUB = "10.77.0.1";
    private static final String NETWORK = "10.77.0.0/24";

    private final boolean apart;
    private final boolean netem;
    private final Map<String, String> addresses = new TreeMap<>();

    private Lan(boolean apart) {
        this.apart = apart;
        this.netem = apart && Shell.run(List.of("sh", "-c", PROBE_NETEM)).status() == 0;
    }

    private static final String PROBE_NETEM = "tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root";

    /// @param apart whether this JVM is in a network namespace of its own
    static Lan make(boolean apart) {
        if (apart) {
            Shell.must("ip link set lo up");
            Shell.must("ip link add hub type bridge");
            Shell.must("ip addr add " + HUB + "/24 dev hub");
            Shell.must("ip link set hub up");
        }
        return new Lan(apart);
    }

    boolean isApart() {
        return apart;
    }

    /// How a link is made slow: the kernel's emulator of networks, or a narrow link where it has none.
    String slowness() {
        return netem ? "netem delay 400 ms" : "128 kbit/s";
    }

    String hub() {
        return apart ? HUB : "127.0.0.1";
    }

    String network() {
        return NETWORK;
    }

    /// The address of a node; makes its namespace when it is new.
    String address(String node) {
        return apart ? addresses.computeIfAbsent(node, this::join) : "127.0.0.1";
    }

    private String join(String node) {
        String address = "10.77.0." + (11 + addresses.size());
        Shell.must("ip netns add " + node);
        Shell.must("ip link add v-" + node + " type veth peer name eth0 netns " + node);
        Shell.must("ip link set v-" + node + " master hub up");
        inside(node, "ip addr add " + address + "/24 dev eth0");
        inside(node, "ip link set eth0 up");
        inside(node, "ip link set lo up");
        return address;
    }

    /// What starts a process inside a node's namespace.
    List<String> prefix(String node) {
        return apart ? List.of("ip", "netns", "exec", node) : List.of();
    }

    /// Which way packets between two nodes do not go.
    enum Way {
        /// Neither.
        BOTH,
        /// Those that the node sends.
        OUT,
        /// Those that the node is sent.
        IN
    }

    /// Drops what goes between a node and another address.
    ///
    /// @param share of the packets, 1 for all
    void drop(String node, String other, Way way, double share) {
        String chance = share < 1 ? " -m statistic --mode random --probability " + share : "";
        if (way != Way.IN) {
            inside(node, "iptables -A OUTPUT -d " + other + chance + " -j DROP");
        }
        if (way != Way.OUT) {
            inside(node, "iptables -A INPUT -s " + other + chance + " -j DROP");
        }
    }

    /// Sends each packet to another address of the same link twice.
    void duplicate(String node, String other) {
        inside(node, "iptables -t mangle -A OUTPUT -d " + other + " -j TEE --gateway " + other);
    }

    /// Makes what a node sends late.
    void slow(String node) {
        inside(
                node,
                "tc qdisc add dev eth0 root "
                        + (netem ? "netem delay 400ms 100ms" : "tbf rate 128kbit burst 3000 latency 3s"));
    }

    /// Ends all that was done to a node's packets.
    void heal(String node) {
        inside(node, "iptables -F");
        inside(node, "iptables -t mangle -F");
        var _ = Shell.run(List.of("ip", "netns", "exec", node, "tc", "qdisc", "del", "dev", "eth0", "root"));
    }

    private static void inside(String node, String command) {
        Shell.must("ip netns exec " + node + " " + command);
    }
}

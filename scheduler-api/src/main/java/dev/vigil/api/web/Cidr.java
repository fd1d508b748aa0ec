package dev.vigil.api.web;

import java.net.InetAddress;
import java.util.Optional;

/// A range of addresses such as `10.0.0.0/8`; an address alone is a range of one.
///
/// @param network the first address
/// @param bits    how many of its leading bits count
public record Cidr(InetAddress network, int bits) {
    /// Reads a range; empty when it is none. Names are never looked up.
    public static Optional<Cidr> parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        try {
            InetAddress network = InetAddress.ofLiteral(address);
            int width = network.getAddress().length * 8;
            int bits = slash < 0 ? width : Integer.parseInt(text.substring(slash + 1));
            return bits < 0 || bits > width ? Optional.empty() : Optional.of(new Cidr(network, bits));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// Whether an address lies in it.
    public boolean contains(String address) {
        byte[] wanted = network.getAddress();
        byte[] given;
        try {
            given = InetAddress.ofLiteral(address).getAddress();
        } catch (IllegalArgumentException _) {
            return false;
        }
        if (given.length != wanted.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> (bit % 8);
            if ((wanted[bit / 8] & mask) != (given[bit / 8] & mask)) {
                return false;
            }
        }
        return true;
    }
}

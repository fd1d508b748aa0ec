package dev.vigil.agent.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Where the control groups of a process lie in the file system.
///
/// @param mountinfo lines of `/proc/self/mountinfo` (proc(5))
/// @param groups    lines of `/proc/self/cgroup` (cgroups(7)): `number:controllers:path`
record CgroupMounts(List<String> mountinfo, List<String> groups) {

    static CgroupMounts ofThisProcess() throws IOException {
        return new CgroupMounts(
                Files.readAllLines(Path.of("/proc/self/mountinfo")), Files.readAllLines(Path.of("/proc/self/cgroup")));
    }

    /// The folder of this process under a controller of version 1.
    Optional<Path> own(String controller) {
        for (Mount mount : mounts("cgroup")) {
            if (mount.options().contains(controller)) {
                return Optional.ofNullable(paths().get(controller)).flatMap(mount::folder);
            }
        }
        return Optional.empty();
    }

    /// The folders of version 2 to try: this process's own, then the top.
    Set<Path> unified() {
        var folders = new LinkedHashSet<Path>();
        for (Mount mount : mounts("cgroup2")) {
            Optional.ofNullable(paths().get("")).flatMap(mount::folder).ifPresent(folders::add);
            folders.add(mount.point());
        }
        return folders;
    }

    /// @param root the path of the hierarchy that the mount point shows; not `/` in a container without a namespace
    private record Mount(String root, Path point, List<String> options) {
        Optional<Path> folder(String path) {
            if (root.equals("/")) {
                return Optional.of(point.resolve(path.substring(1)));
            }
            if (path.equals(root) || path.startsWith(root + "/")) {
                return Optional.of(point.resolve(path.substring(Math.min(path.length(), root.length() + 1))));
            }
            return Optional.of(point);
        }
    }

    private List<Mount> mounts(String type) {
        var mounts = new ArrayList<Mount>();
        for (String line : mountinfo) {
            int separator = line.indexOf(" - ");
            String[] before = line.substring(0, separator).split(" ");
            String[] after = line.substring(separator + 3).split(" ");
            if (after[0].equals(type)) {
                mounts.add(new Mount(before[3], Path.of(before[4]), List.of(after[2].split(","))));
            }
        }
        return mounts;
    }

    private Map<String, String> paths() {
        var paths = new HashMap<String, String>();
        for (String line : groups) {
            String[] parts = line.split(":", 3);
            for (String controller : parts[1].split(",")) {
                paths.put(controller, parts[2]);
            }
        }
        return paths;
    }
}

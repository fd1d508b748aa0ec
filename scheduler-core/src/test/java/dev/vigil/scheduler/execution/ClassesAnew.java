package dev.vigil.scheduler.execution;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.BiFunction;

/// Loads some classes anew, perhaps changed; everything else is shared.
final class ClassesAnew extends ClassLoader {
    private final String prefix;
    private final BiFunction<String, byte[], byte[]> change;

    /// @param prefix of the names of those classes
    /// @param change of the code of a class, by its name
    ClassesAnew(String prefix, BiFunction<String, byte[], byte[]> change) {
        super(ClassesAnew.class.getClassLoader());
        this.prefix = prefix;
        this.change = change;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded == null && name.startsWith(prefix)) {
                loaded = define(name);
            }
            return loaded == null ? super.loadClass(name, resolve) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] code = change.apply(name, in.readAllBytes());
            return defineClass(name, code, 0, code.length);
        } catch (IOException broken) {
            throw new ClassNotFoundException(name, broken);
        }
    }
}

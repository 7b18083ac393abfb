import GateCore
import Glibc

extension FileFailure {
    /// The path leads nowhere that may be read: to no file, out of the folder, in a circle, to a socket, or to what we have no right to.
    var saysNothingThere: Bool {
        [ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EXDEV, EACCES, EPERM, ENXIO, ENODEV, EINVAL].contains(code)
    }

    /// What ``FolderTree/Patience/cached`` cannot tell without the disk.
    var lacksPatience: Bool { [EAGAIN, EXDEV].contains(code) }
}

package import GateCore

/// A part of an open file as the body of a response. It goes out as it is when it is read: a file that has become shorter than promised
/// breaks its response off.
package struct FileBody: Sendable {
    package var file: OpenFile
    /// In bytes from the file's beginning.
    package var range: Range<Int>

    package init(_ file: OpenFile, _ range: Range<Int>) {
        self.file = file
        self.range = range
    }
}

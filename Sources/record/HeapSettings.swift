import CMalloc

/// How the allocator deals with what is freed (mallopt(3)).
enum HeapSettings {
  /// Keeps freed memory for what is wanted next instead of giving it back to the system.
  ///
  /// For a process that reads to an end and then exits: blocks of a capture come and go by the thousand, and each that the system
  /// took back would come again page by page. What is in use at once stays as bounded as it was.
  static func keepBlocks() {
    // Each answers 0 when the system has no such setting: then blocks cost a little more.
    _ = mallopt(M_MMAP_THRESHOLD, 32 << 20)
    _ = mallopt(M_TRIM_THRESHOLD, 128 << 20)
  }
}

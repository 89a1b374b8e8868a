// Times Kraskov's transfer entropy of every source with every target by JIDT (Lizier 2014), which is not part of this
// project: run as a single source file with its jar on the class path.
//
//   java -cp infodynamics.jar JidtNetworkBench.java POINTS SOURCES TARGETS N K THREADS REPEATS
//
// POINTS holds little-endian doubles: sources (SOURCES, N), then y (TARGETS, N), then z (TARGETS, N), normalised already.
// Source i is left out for target i. Threads work on targets of their own, one thread an estimate: the most that JIDT
// can be given on so many cores. Prints "value V", the mean of all entries, then one line "WALL_NS CPU_NS" a repeat, after
// two seconds of warm-up on the first targets.

import infodynamics.measures.continuous.kraskov.ConditionalMutualInfoCalculatorMultiVariateKraskov1;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class JidtNetworkBench {
  private static double[][][] read(ByteBuffer buffer, int parts, int n) {
    double[][][] columns = new double[parts][n][1];
    for (double[][] column : columns) for (double[] row : column) row[0] = buffer.getDouble();
    return columns;
  }

  private static double sumOfTarget(double[][][] sources, double[][] y, double[][] z, int target, String k)
      throws Exception {
    double sum = 0;
    for (int source = 0; source < sources.length; source++) {
      if (source == target) continue;
      ConditionalMutualInfoCalculatorMultiVariateKraskov1 calculator =
          new ConditionalMutualInfoCalculatorMultiVariateKraskov1();
      calculator.setProperty("k", k);
      calculator.setProperty("NORMALISE", "false");
      calculator.setProperty("NOISE_LEVEL_TO_ADD", "0");
      calculator.setProperty("NUM_THREADS", "1");
      calculator.initialise(1, 1, 1);
      calculator.setObservations(sources[source], y, z);
      sum += calculator.computeAverageLocalOfObservations();
    }
    return sum;
  }

  public static void main(String[] arguments) throws Exception {
    ByteBuffer buffer = ByteBuffer.wrap(Files.readAllBytes(Path.of(arguments[0]))).order(ByteOrder.LITTLE_ENDIAN);
    int m = Integer.parseInt(arguments[1]);
    int t = Integer.parseInt(arguments[2]);
    int n = Integer.parseInt(arguments[3]);
    double[][][] sources = read(buffer, m, n);
    double[][][] y = read(buffer, t, n);
    double[][][] z = read(buffer, t, n);
    String k = arguments[4];
    ExecutorService workers = Executors.newFixedThreadPool(Integer.parseInt(arguments[5]));

    long start = System.nanoTime();
    for (int target = 0; System.nanoTime() - start < 2_000_000_000L; target = (target + 1) % t)
      sumOfTarget(sources, y[target], z[target], target, k);

    com.sun.management.OperatingSystemMXBean process =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    StringBuilder times = new StringBuilder();
    double mean = 0;
    for (int repeat = 0; repeat < Integer.parseInt(arguments[6]); repeat++) {
      long cpu = process.getProcessCpuTime();
      long wall = System.nanoTime();
      List<Future<Double>> sums = new ArrayList<>();
      for (int target = 0; target < t; target++) {
        int of = target;
        sums.add(workers.submit(() -> sumOfTarget(sources, y[of], z[of], of, k)));
      }
      double sum = 0;
      for (Future<Double> one : sums) sum += one.get();
      wall = System.nanoTime() - wall;
      times.append(wall).append(' ').append(process.getProcessCpuTime() - cpu).append('\n');
      mean = sum / ((double) m * t - Math.min(m, t));
    }
    workers.shutdown();
    System.out.println("value " + mean);
    System.out.print(times);
  }
}

// Times Kraskov's estimate of conditional or plain mutual information by JIDT (Lizier 2014), which is not part of this
// project: run as a single source file with its jar on the class path.
//
//   java -cp infodynamics.jar JidtBench.java POINTS N DX DY DZ K ALGORITHM THREADS REPEATS
//
// POINTS holds little-endian doubles: x (N, DX), then y (N, DY), then z (N, DZ), row-major, normalised already. Prints
// "value V", then one line "WALL_NS CPU_NS" a repeat, after two seconds of warm-up.

import infodynamics.measures.continuous.ConditionalMutualInfoCalculatorMultiVariate;
import infodynamics.measures.continuous.MutualInfoCalculatorMultiVariate;
import infodynamics.measures.continuous.kraskov.ConditionalMutualInfoCalculatorMultiVariateKraskov1;
import infodynamics.measures.continuous.kraskov.ConditionalMutualInfoCalculatorMultiVariateKraskov2;
import infodynamics.measures.continuous.kraskov.MutualInfoCalculatorMultiVariateKraskov1;
import infodynamics.measures.continuous.kraskov.MutualInfoCalculatorMultiVariateKraskov2;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

public class JidtBench {
  private static double[][] read(ByteBuffer buffer, int n, int d) {
    double[][] rows = new double[n][d];
    for (double[] row : rows) for (int c = 0; c < d; c++) row[c] = buffer.getDouble();
    return rows;
  }

  private static double estimate(double[][] x, double[][] y, double[][] z, String k, boolean second, String threads)
      throws Exception {
    if (z[0].length > 0) {
      ConditionalMutualInfoCalculatorMultiVariate calculator =
          second ? new ConditionalMutualInfoCalculatorMultiVariateKraskov2()
                 : new ConditionalMutualInfoCalculatorMultiVariateKraskov1();
      calculator.setProperty("k", k);
      calculator.setProperty("NORMALISE", "false");
      calculator.setProperty("NOISE_LEVEL_TO_ADD", "0");
      calculator.setProperty("NUM_THREADS", threads);
      calculator.initialise(x[0].length, y[0].length, z[0].length);
      calculator.setObservations(x, y, z);
      return calculator.computeAverageLocalOfObservations();
    }
    MutualInfoCalculatorMultiVariate calculator =
        second ? new MutualInfoCalculatorMultiVariateKraskov2() : new MutualInfoCalculatorMultiVariateKraskov1();
    calculator.setProperty("k", k);
    calculator.setProperty("NORMALISE", "false");
    calculator.setProperty("NOISE_LEVEL_TO_ADD", "0");
    calculator.setProperty("NUM_THREADS", threads);
    calculator.initialise(x[0].length, y[0].length);
    calculator.setObservations(x, y);
    return calculator.computeAverageLocalOfObservations();
  }

  public static void main(String[] arguments) throws Exception {
    ByteBuffer buffer = ByteBuffer.wrap(Files.readAllBytes(Path.of(arguments[0]))).order(ByteOrder.LITTLE_ENDIAN);
    int n = Integer.parseInt(arguments[1]);
    double[][] x = read(buffer, n, Integer.parseInt(arguments[2]));
    double[][] y = read(buffer, n, Integer.parseInt(arguments[3]));
    double[][] z = read(buffer, n, Integer.parseInt(arguments[4]));
    String k = arguments[5];
    boolean second = arguments[6].equals("2");
    String threads = arguments[7];

    double value = 0;
    long start = System.nanoTime();
    do {
      value = estimate(x, y, z, k, second, threads);
    } while (System.nanoTime() - start < 2_000_000_000L);
    System.out.println("value " + value);

    com.sun.management.OperatingSystemMXBean process =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (int repeat = 0; repeat < Integer.parseInt(arguments[8]); repeat++) {
      long cpu = process.getProcessCpuTime();
      long wall = System.nanoTime();
      estimate(x, y, z, k, second, threads);
      wall = System.nanoTime() - wall;
      System.out.println(wall + " " + (process.getProcessCpuTime() - cpu));
    }
  }
}

"""Coefficients of Rodas4, a stiffly accurate Rosenbrock method of order 4 with embedded order 3.

Source: Hairer & Wanner 1996, Solving Ordinary Differential Equations II, section IV.7, in the
transformed form without matrix products. The last row of ``A`` gives the new state without the
last stage; that stage is the error estimate.
"""

GAMMA = 0.25
A: tuple[tuple[float, ...], ...] = (
    (),
    (0.1544000000000000e1,),
    (0.9466785280815826, 0.2557011698983284),
    (0.3314825187068521e1, 0.2896124015972201e1, 0.9986419139977817),
    (0.1221224509226641e1, 0.6019134481288629e1, 0.1253708332932087e2, -0.6878860361058950),
    (0.1221224509226641e1, 0.6019134481288629e1, 0.1253708332932087e2, -0.6878860361058950, 1.0),
)
C: tuple[tuple[float, ...], ...] = (
    (),
    (-0.56688e1,),
    (-0.2430093356833875e1, -0.2063599157091915),
    (-0.1073529058151375, -0.9594562251023355e1, -0.2047028614809616e2),
    (0.7496443313967647e1, -0.1024680431464352e2, -0.3399990352819905e2, 0.1170890893206160e2),
    (
        0.8083246795921522e1,
        -0.7981132988064893e1,
        -0.3152159432874371e2,
        0.1631930543123136e2,
        -0.6058818238834054e1,
    ),
)
